<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr" sourcelanguage="en">
<context>
    <name>TextPromptSeg</name>
    <message>
        <source>Text Prompt Segmentation</source>
        <translation>Segmentation par prompt textuel</translation>
    </message>
    <message>
        <source>Segment structures in CT, MR and X-ray images by typing what to segment. The same is available as the effect 'Text prompt' of Segment Editor. Results are suggestions for research and must be checked; they are not for diagnosis.</source>
        <translation>Segmenter des structures dans des images de TDM, d'IRM et de radiographie en écrivant ce qu'il faut segmenter. La même fonction existe comme effet « Prompt textuel » de l'Éditeur de segments. Les résultats sont des suggestions pour la recherche et doivent être vérifiés ; ils ne servent pas au diagnostic.</translation>
    </message>
    <message>
        <source>Each checkpoint's card names the paper behind it, its training data and its licence.</source>
        <translation>La fiche de chaque modèle indique la publication d'origine, les données d'entraînement et la licence.</translation>
    </message>
</context>
<context>
    <name>TextPromptSegEffect.SegmentEditorEffect</name>
    <message>
        <source>Text prompt</source>
        <translation>Prompt textuel</translation>
    </message>
    <message>
        <source>&lt;html&gt;Segment by typing what to segment, for example &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Preview&lt;/b&gt; shows the current slice, &lt;b&gt;Threshold&lt;/b&gt; adjusts it, &lt;b&gt;Apply&lt;/b&gt; changes the selected segment in one undo step; masking options are honoured.&lt;p&gt;Keys:&lt;br&gt;{keys}&lt;p&gt;Results are suggestions for research and must be checked.&lt;/html&gt;</source>
        <translation>&lt;html&gt;Segmenter en écrivant ce qu'il faut segmenter, par exemple &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Aperçu&lt;/b&gt; montre la coupe actuelle, &lt;b&gt;Seuil&lt;/b&gt; l'ajuste, &lt;b&gt;Appliquer&lt;/b&gt; modifie le segment sélectionné en une seule étape annulable ; les options de masquage sont respectées.&lt;p&gt;Touches :&lt;br&gt;{keys}&lt;p&gt;Les résultats sont des suggestions pour la recherche et doivent être vérifiés.&lt;/html&gt;</translation>
    </message>
</context>
<context>
    <name>boxes.candidates_box</name>
    <message>
        <source>One answer</source>
        <translation>Une réponse</translation>
    </message>
    <message>
        <source> candidates</source>
        <translation> candidats</translation>
    </message>
    <message>
        <source>Show the candidate before; Apply takes the one that is shown.</source>
        <translation>Montrer le candidat précédent ; Appliquer prend celui qui est affiché.</translation>
    </message>
    <message>
        <source>Show the next candidate; Apply takes the one that is shown.</source>
        <translation>Montrer le candidat suivant ; Appliquer prend celui qui est affiché.</translation>
    </message>
    <message>
        <source>How many plausible answers to draw. First their mean is shown; the arrows flip.</source>
        <translation>Nombre de réponses plausibles à tirer. Leur moyenne est montrée d'abord ; les flèches font défiler.</translation>
    </message>
    <message>
        <source>This checkpoint gives one answer; choose one that draws candidates (the section Checkpoints of the module says which do).</source>
        <translation>Ce modèle donne une seule réponse ; choisissez-en un qui tire des candidats (la section Modèles du module dit lesquels).</translation>
    </message>
    <message>
        <source>not drawn yet</source>
        <translation>pas encore tiré</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} sur {count}</translation>
    </message>
    <message>
        <source>mean of {count}</source>
        <translation>moyenne de {count}</translation>
    </message>
    <message>
        <source>candidate {number} of {count}, {size}</source>
        <translation>candidat {number} sur {count}, {size}</translation>
    </message>
    <message>
        <source>candidate {number} of {count} is empty</source>
        <translation>le candidat {number} sur {count} est vide</translation>
    </message>
</context>
<context>
    <name>boxes.hints_box</name>
    <message>
        <source>Box</source>
        <translation>Boîte</translation>
    </message>
    <message>
        <source>Choose or draw a box</source>
        <translation>Choisir ou dessiner une boîte</translation>
    </message>
    <message>
        <source>Inside</source>
        <translation>Intérieur</translation>
    </message>
    <message>
        <source>Points on it</source>
        <translation>Points sur la structure</translation>
    </message>
    <message>
        <source>Outside</source>
        <translation>Extérieur</translation>
    </message>
    <message>
        <source>Points beside it</source>
        <translation>Points à côté</translation>
    </message>
    <message>
        <source>A box around the structure. It tells the network where to look; the range, in contrast, only cuts off what lies outside.</source>
        <translation>Une boîte autour de la structure. Elle dit au réseau où regarder ; l'étendue, au contraire, ne fait que couper ce qui est en dehors.</translation>
    </message>
    <message>
        <source>Points or a scribble on the structure. A point whose name begins with '-' lies beside it.</source>
        <translation>Points ou trait sur la structure. Un point dont le nom commence par « - » se trouve à côté.</translation>
    </message>
    <message>
        <source>Points or a scribble beside the structure; may be left out.</source>
        <translation>Points ou trait à côté de la structure ; facultatif.</translation>
    </message>
    <message>
        <source>Two passes</source>
        <translation>Deux passes</translation>
    </message>
    <message>
        <source>Find a box by the text first, then ask again with that box.</source>
        <translation>Trouver d'abord une boîte par le texte, puis redemander avec cette boîte.</translation>
    </message>
    <message>
        <source>Slice to slice</source>
        <translation>De coupe en coupe</translation>
    </message>
    <message>
        <source>Give each slice the box of what was found in the slice before.</source>
        <translation>Donner à chaque coupe la boîte de ce qui a été trouvé dans la coupe précédente.</translation>
    </message>
    <message>
        <source>Start from the segment</source>
        <translation>Partir du segment</translation>
    </message>
    <message>
        <source>Box and points make the selected segment better instead of asking anew: its mask goes into the network, or where that takes none the box around it on each slice.</source>
        <translation>La boîte et les points améliorent le segment sélectionné au lieu de tout redemander : son masque entre dans le réseau ou, si celui-ci n'en accepte pas, la boîte qui l'entoure sur chaque coupe.</translation>
    </message>
    <message>
        <source>Choose or draw a box, or set the hints to text alone.</source>
        <translation>Choisissez ou dessinez une boîte, ou réglez les indications sur le texte seul.</translation>
    </message>
    <message>
        <source>Choose or place points, or set the hints to text alone.</source>
        <translation>Choisissez ou placez des points, ou réglez les indications sur le texte seul.</translation>
    </message>
    <message>
        <source>Text alone</source>
        <translation>Texte seul</translation>
    </message>
    <message>
        <source>Text and a box</source>
        <translation>Texte et boîte</translation>
    </message>
    <message>
        <source>Text and points</source>
        <translation>Texte et points</translation>
    </message>
    <message>
        <source>Text, a box and points</source>
        <translation>Texte, boîte et points</translation>
    </message>
    <message>
        <source>What helps the network to find the structure, beside the text.</source>
        <translation>Ce qui aide le réseau à trouver la structure, en plus du texte.</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points (the section Checkpoints of the module says which do).</source>
        <translation>Ce modèle n'écoute que le texte ; choisissez-en un qui accepte des boîtes ou des points (la section Modèles du module dit lesquels).</translation>
    </message>
</context>
<context>
    <name>boxes.markups_box</name>
    <message>
        <source>Draw</source>
        <translation>Dessiner</translation>
    </message>
    <message>
        <source>Draw in a slice view; press Escape to end.</source>
        <translation>Dessiner dans une vue de coupe ; Échap pour terminer.</translation>
    </message>
    <message>
        <source>Scribble</source>
        <translation>Trait</translation>
    </message>
    <message>
        <source>Draw a line on the structure, click by click; a right click or Escape ends it. The network gets points along it.</source>
        <translation>Tracer une ligne sur la structure, clic par clic ; un clic droit ou Échap la termine. Le réseau reçoit des points le long de la ligne.</translation>
    </message>
</context>
<context>
    <name>boxes.modality_box</name>
    <message>
        <source>The grey values are scaled for the network by what the image is. After a run the outcome says what it was taken for; correct it here.</source>
        <translation>Les niveaux de gris sont mis à l'échelle pour le réseau selon la nature de l'image. Après un calcul, le résultat dit pour quoi elle a été prise ; corrigez-le ici.</translation>
    </message>
    <message>
        <source>As the image says</source>
        <translation>Comme l'indique l'image</translation>
    </message>
    <message>
        <source>CT</source>
        <translation>TDM</translation>
    </message>
    <message>
        <source>MR</source>
        <translation>IRM</translation>
    </message>
    <message>
        <source>X-ray</source>
        <translation>Radiographie</translation>
    </message>
</context>
<context>
    <name>boxes.model_box</name>
    <message>
        <source>Checkpoint: the trained network that answers the prompt.</source>
        <translation>Modèle : le réseau entraîné qui répond au prompt.</translation>
    </message>
    <message>
        <source>No checkpoint is installed</source>
        <translation>Aucun modèle n'est installé</translation>
    </message>
    <message>
        <source>The checkpoint '{title}' may only be used under this licence:

{licence}
{line}

Use it under this licence?</source>
        <translation>Le modèle « {title} » ne peut être utilisé que sous cette licence :

{licence}
{line}

L'utiliser sous cette licence ?</translation>
    </message>
    <message>
        <source>Licence of the checkpoint</source>
        <translation>Licence du modèle</translation>
    </message>
    <message>
        <source>Images: {modalities}; slices: {planes}; {prompts}</source>
        <translation>Images : {modalities} ; coupes : {planes} ; {prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>non précisée</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>tous les mots (vocabulaire ouvert)</translation>
    </message>
    <message>
        <source>{count} trained prompts</source>
        <translation>{count} prompts appris</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>Mesuré : {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>Licence : {licence}</translation>
    </message>
    <message>
        <source>Size {size}, memory about {memory}</source>
        <translation>Taille {size}, mémoire environ {memory}</translation>
    </message>
    <message>
        <source>boxes</source>
        <translation>boîtes</translation>
    </message>
    <message>
        <source>points</source>
        <translation>points</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>masques</translation>
    </message>
    <message>
        <source>draws candidates</source>
        <translation>tire des candidats</translation>
    </message>
    <message>
        <source>shows where it looked</source>
        <translation>montre où il a regardé</translation>
    </message>
    <message>
        <source>Takes: {what}</source>
        <translation>Accepte : {what}</translation>
    </message>
    <message>
        <source>text</source>
        <translation>texte</translation>
    </message>
</context>
<context>
    <name>boxes.parse_view</name>
    <message>
        <source>How the prompt was understood. Click a name to change it.</source>
        <translation>Comment le prompt a été compris. Cliquez sur un nom pour le changer.</translation>
    </message>
    <message>
        <source>Use '{name}'</source>
        <translation>Utiliser « {name} »</translation>
    </message>
    <message>
        <source>Ask the network in these words</source>
        <translation>Interroger le réseau avec ces mots</translation>
    </message>
    <message>
        <source>Whole '{name}'</source>
        <translation>« {name} » en entier</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Retirer</translation>
    </message>
</context>
<context>
    <name>boxes.region_box</name>
    <message>
        <source>Part of the image that Apply segments; nothing is found outside.</source>
        <translation>Partie de l'image qu'Appliquer segmente ; rien n'est trouvé en dehors.</translation>
    </message>
    <message>
        <source>Current slice</source>
        <translation>Coupe actuelle</translation>
    </message>
    <message>
        <source>Slice range</source>
        <translation>Plage de coupes</translation>
    </message>
    <message>
        <source>Region of interest</source>
        <translation>Région d'intérêt</translation>
    </message>
    <message>
        <source>Whole volume</source>
        <translation>Volume entier</translation>
    </message>
    <message>
        <source>from</source>
        <translation>de</translation>
    </message>
    <message>
        <source>to</source>
        <translation>à</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>Région</translation>
    </message>
    <message>
        <source>Choose or draw a region of interest</source>
        <translation>Choisir ou dessiner une région d'intérêt</translation>
    </message>
</context>
<context>
    <name>boxes.run_bar</name>
    <message>
        <source>Apply</source>
        <translation>Appliquer</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>Démarrage...</translation>
    </message>
</context>
<context>
    <name>boxes.threshold_box</name>
    <message>
        <source>Probability from which a voxel belongs to the structure. Moving it needs no new run.</source>
        <translation>Probabilité à partir de laquelle un voxel appartient à la structure. La modifier ne demande pas de nouveau calcul.</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>Auto</translation>
    </message>
    <message>
        <source>Use the threshold that the checkpoint was tuned for.</source>
        <translation>Utiliser le seuil pour lequel le modèle a été réglé.</translation>
    </message>
    <message>
        <source>A candidate is drawn at the checkpoint's threshold; flip to the mean to move it.</source>
        <translation>Un candidat est dessiné au seuil du modèle ; revenez à la moyenne pour le modifier.</translation>
    </message>
</context>
<context>
    <name>effect.controller</name>
    <message>
        <source>There is no segment yet; press Apply first.</source>
        <translation>Il n'y a pas encore de segment ; appuyez d'abord sur Appliquer.</translation>
    </message>
    <message>
        <source>Select a segment that was made by a text prompt, then press Again.</source>
        <translation>Sélectionnez un segment créé par un prompt textuel, puis appuyez sur Reprendre.</translation>
    </message>
    <message>
        <source>Prompt, checkpoint and threshold are those of the selected segment.</source>
        <translation>Le prompt, le modèle et le seuil sont ceux du segment sélectionné.</translation>
    </message>
    <message>
        <source>The next run starts from it: place points, or draw a box.</source>
        <translation>Le prochain calcul part de lui : placez des points ou dessinez une boîte.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>Annulé ; rien n'a été modifié.</translation>
    </message>
    <message>
        <source>The segmentation was deleted during the run; nothing was changed.</source>
        <translation>La segmentation a été supprimée pendant le calcul ; rien n'a été modifié.</translation>
    </message>
    <message>
        <source>Another segmentation or volume was selected meanwhile; nothing was written.</source>
        <translation>Une autre segmentation ou un autre volume a été sélectionné entre-temps ; rien n'a été écrit.</translation>
    </message>
    <message>
        <source>probably {name} is outside this field of view</source>
        <translation>{name} est probablement en dehors de ce champ de vue</translation>
    </message>
</context>
<context>
    <name>effect.fold</name>
    <message>
        <source>Options</source>
        <translation>Options</translation>
    </message>
    <message>
        <source>Changed: {list}</source>
        <translation>Modifié : {list}</translation>
    </message>
</context>
<context>
    <name>effect.hand_keys</name>
    <message>
        <source>Enter</source>
        <translation>Entrée</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>aperçu</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+Entrée</translation>
    </message>
    <message>
        <source>apply</source>
        <translation>appliquer</translation>
    </message>
    <message>
        <source>Escape</source>
        <translation>Échap</translation>
    </message>
    <message>
        <source>end drawing, cancel a run, switch the preview off</source>
        <translation>terminer le dessin, annuler un calcul, désactiver l'aperçu</translation>
    </message>
    <message>
        <source>draw a box</source>
        <translation>dessiner une boîte</translation>
    </message>
    <message>
        <source>set points</source>
        <translation>placer des points</translation>
    </message>
    <message>
        <source>points on the structure or beside it</source>
        <translation>points sur la structure ou à côté</translation>
    </message>
    <message>
        <source>next segment</source>
        <translation>segment suivant</translation>
    </message>
    <message>
        <source>Draw in a slice view (key B); press Escape to end.</source>
        <translation>Dessiner dans une vue de coupe (touche B) ; Échap pour terminer.</translation>
    </message>
    <message>
        <source>Set points in a slice view (key O; T changes between points on the structure and beside it); press Escape to end.</source>
        <translation>Placer des points dans une vue de coupe (touche O ; T alterne entre points sur la structure et points à côté) ; Échap pour terminer.</translation>
    </message>
    <message>
        <source>The next points lie on the structure.</source>
        <translation>Les prochains points sont sur la structure.</translation>
    </message>
    <message>
        <source>The next points lie beside the structure.</source>
        <translation>Les prochains points sont à côté de la structure.</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points.</source>
        <translation>Ce modèle n'écoute que le texte ; choisissez-en un qui accepte des boîtes ou des points.</translation>
    </message>
</context>
<context>
    <name>effect.live_preview</name>
    <message>
        <source>Preview: a third by height needs the whole image, which is searched once...</source>
        <translation>Aperçu : un tiers en hauteur demande l'image entière, qui est parcourue une fois...</translation>
    </message>
    <message>
        <source>Preview...</source>
        <translation>Aperçu...</translation>
    </message>
    <message>
        <source>axial</source>
        <translation>axiale</translation>
    </message>
    <message>
        <source>coronal</source>
        <translation>coronale</translation>
    </message>
    <message>
        <source>sagittal</source>
        <translation>sagittale</translation>
    </message>
    <message>
        <source>Previewed on the {plane} slice {number} of {count}, which no view shows: the line shows where it lies.</source>
        <translation>Aperçu sur la coupe {plane} {number} sur {count}, qu'aucune vue ne montre : la ligne indique où elle se trouve.</translation>
    </message>
    <message>
        <source>{name}, candidate {number}</source>
        <translation>{name}, candidat {number}</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice</source>
        <translation>{name} : {area:.1f} cm² sur cette coupe</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice, max p {p:.2f}</source>
        <translation>{name} : {area:.1f} cm² sur cette coupe, p max. {p:.2f}</translation>
    </message>
    <message>
        <source>{name}: not on this slice, max p {p:.2f}</source>
        <translation>{name} : pas sur cette coupe, p max. {p:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.names_menu</name>
    <message>
        <source>Names</source>
        <translation>Noms</translation>
    </message>
    <message>
        <source>What this checkpoint knows well: everything, the organs of a region, or one by one.</source>
        <translation>Ce que ce modèle connaît bien : tout, les organes d'une région, ou un par un.</translation>
    </message>
    <message>
        <source>Everything ({count})</source>
        <translation>Tout ({count})</translation>
    </message>
    <message>
        <source>{region} ({count})</source>
        <translation>{region} ({count})</translation>
    </message>
    <message>
        <source>All organs of the region</source>
        <translation>Tous les organes de la région</translation>
    </message>
    <message>
        <source>Other ({count})</source>
        <translation>Autres ({count})</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>Tête</translation>
    </message>
    <message>
        <source>Neck</source>
        <translation>Cou</translation>
    </message>
    <message>
        <source>Chest</source>
        <translation>Thorax</translation>
    </message>
    <message>
        <source>Abdomen</source>
        <translation>Abdomen</translation>
    </message>
    <message>
        <source>Pelvis</source>
        <translation>Bassin</translation>
    </message>
    <message>
        <source>Limbs</source>
        <translation>Membres</translation>
    </message>
</context>
<context>
    <name>effect.options</name>
    <message>
        <source>What to segment, for example "left kidney, spleen"</source>
        <translation>Ce qu'il faut segmenter, par exemple « left kidney, spleen »</translation>
    </message>
    <message>
        <source>Names, synonyms, sides, thirds and lists are understood: 'upper left lung', 'liver without tumor'. Press Enter to preview. The prompt is saved with the scene.</source>
        <translation>Les noms, synonymes, côtés, tiers et listes sont compris : « upper left lung », « liver without tumor ». Appuyez sur Entrée pour l'aperçu. Le prompt est enregistré avec la scène.</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>Reprendre</translation>
    </message>
    <message>
        <source>Take prompt, checkpoint and threshold from the selected segment, to run them again; with a box or points the next run starts from its mask.</source>
        <translation>Reprendre le prompt, le modèle et le seuil du segment sélectionné pour les relancer ; avec une boîte ou des points, le prochain calcul part de son masque.</translation>
    </message>
    <message>
        <source>What happens to the selected segment. With 'Set', several structures become several segments; the other operations use them together.</source>
        <translation>Ce qui arrive au segment sélectionné. Avec « Définir », plusieurs structures deviennent plusieurs segments ; les autres opérations les utilisent ensemble.</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Définir</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Ajouter</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Retirer</translation>
    </message>
    <message>
        <source>Intersect</source>
        <translation>Intersection</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>Aperçu</translation>
    </message>
    <message>
        <source>Show the result on the current slice (Enter in the prompt line). It follows the slice, the prompt and the threshold until it is switched off (Escape).</source>
        <translation>Montrer le résultat sur la coupe actuelle (Entrée dans la ligne du prompt). Il suit la coupe, le prompt et le seuil jusqu'à ce que l'aperçu soit désactivé (Échap).</translation>
    </message>
    <message>
        <source>Segment the chosen range and change the selected segment, as one undo step (Ctrl+Enter; Escape cancels).</source>
        <translation>Segmenter l'étendue choisie et modifier le segment sélectionné, en une seule étape annulable (Ctrl+Entrée ; Échap annule).</translation>
    </message>
    <message>
        <source>3-D</source>
        <translation>3D</translation>
    </message>
    <message>
        <source>Show the segments as surfaces in the 3-D views, or hide them there.</source>
        <translation>Montrer les segments comme surfaces dans les vues 3D, ou les y masquer.</translation>
    </message>
    <message>
        <source>Prompt:</source>
        <translation>Prompt :</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>L'image est :</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>Modèle :</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>Indications :</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>Candidats :</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>Étendue :</translation>
    </message>
    <message>
        <source>Operation:</source>
        <translation>Opération :</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>Seuil :</translation>
    </message>
    <message>
        <source>Overlay:</source>
        <translation>Superposition :</translation>
    </message>
    <message>
        <source>threshold {value:.2f}</source>
        <translation>seuil {value:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.overlay_box</name>
    <message>
        <source>Show over the image how probable each voxel is, how unsure the answer, or where the network looked; of several structures the largest value.</source>
        <translation>Montrer sur l'image la probabilité de chaque voxel, l'incertitude de la réponse ou l'endroit où le réseau a regardé ; pour plusieurs structures, la plus grande valeur.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Rien</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Probabilité</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>Incertitude</translation>
    </message>
    <message>
        <source>Heat map: where the network looked</source>
        <translation>Carte de chaleur : où le réseau a regardé</translation>
    </message>
</context>
<context>
    <name>effect.preview</name>
    <message>
        <source>Text prompt preview</source>
        <translation>Aperçu du prompt textuel</translation>
    </message>
    <message>
        <source>Text prompt slice</source>
        <translation>Coupe du prompt textuel</translation>
    </message>
</context>
<context>
    <name>effect.readiness</name>
    <message>
        <source>Loading the checkpoint... {seconds} s</source>
        <translation>Chargement du modèle... {seconds} s</translation>
    </message>
</context>
<context>
    <name>effect.source</name>
    <message>
        <source>No slice view is shown; choose a layout with one.</source>
        <translation>Aucune vue de coupe n'est affichée ; choisissez une disposition qui en a une.</translation>
    </message>
    <message>
        <source>The slice view is outside the volume; scroll to the volume.</source>
        <translation>La vue de coupe est en dehors du volume ; faites défiler jusqu'au volume.</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>Écrivez ce qu'il faut segmenter, par exemple : liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one in the module Text Prompt Segmentation.</source>
        <translation>Aucun modèle n'est installé ; importez-en un dans le module Segmentation par prompt textuel.</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>La licence du modèle n'a pas été acceptée.</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>Sélectionnez une région d'intérêt ou une autre étendue.</translation>
    </message>
</context>
<context>
    <name>panel.batch_section</name>
    <message>
        <source>Batch</source>
        <translation>Lot</translation>
    </message>
    <message>
        <source>Volumes of the scene</source>
        <translation>Volumes de la scène</translation>
    </message>
    <message>
        <source>Images of a folder</source>
        <translation>Images d'un dossier</translation>
    </message>
    <message>
        <source>Folder with images</source>
        <translation>Dossier des images</translation>
    </message>
    <message>
        <source>Folder for results and summary.csv</source>
        <translation>Dossier des résultats et de summary.csv</translation>
    </message>
    <message>
        <source>Skip images that an earlier run finished</source>
        <translation>Passer les images qu'un calcul précédent a terminées</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Résultat</translation>
    </message>
    <message>
        <source>ml</source>
        <translation>ml</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>Remarque</translation>
    </message>
    <message>
        <source>Use the prompts, checkpoint and threshold chosen above.</source>
        <translation>Utiliser les prompts, le modèle et le seuil choisis ci-dessus.</translation>
    </message>
    <message>
        <source>Images:</source>
        <translation>Images :</translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation>Dossier :</translation>
    </message>
    <message>
        <source>Results:</source>
        <translation>Résultats :</translation>
    </message>
    <message>
        <source>Cancelled; what was finished is in the results folder.</source>
        <translation>Annulé ; ce qui était terminé est dans le dossier des résultats.</translation>
    </message>
    <message>
        <source>done before</source>
        <translation>déjà fait</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>échec</translation>
    </message>
    <message>
        <source>{done} of {total} images done, {failed} failed.</source>
        <translation>{done} images sur {total} terminées, {failed} en échec.</translation>
    </message>
    <message>
        <source>Table: {path}</source>
        <translation>Tableau : {path}</translation>
    </message>
    <message>
        <source>Choose the folders of the images and of the results.</source>
        <translation>Choisissez les dossiers des images et des résultats.</translation>
    </message>
</context>
<context>
    <name>panel.device_box</name>
    <message>
        <source>Where the network runs. Automatic takes the GPU with most memory.</source>
        <translation>Où le réseau calcule. Automatique prend le GPU qui a le plus de mémoire.</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>Chercher</translation>
    </message>
    <message>
        <source>Start the worker and list devices with their free memory.</source>
        <translation>Démarrer le processus de calcul et lister les appareils avec leur mémoire libre.</translation>
    </message>
    <message>
        <source>Unload model</source>
        <translation>Décharger le modèle</translation>
    </message>
    <message>
        <source>End the worker process; all its memory is given back.</source>
        <translation>Terminer le processus de calcul ; toute sa mémoire est rendue.</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatique</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>{device}, {size} free</source>
        <translation>{device}, {size} libres</translation>
    </message>
    <message>
        <source>A run will need about {size}.</source>
        <translation>Un calcul demandera environ {size}.</translation>
    </message>
    <message>
        <source>A run will need about {size}; {free} are free.</source>
        <translation>Un calcul demandera environ {size} ; {free} sont libres.</translation>
    </message>
    <message>
        <source>Choose a smaller range or another device if it fails.</source>
        <translation>Choisissez une étendue plus petite ou un autre appareil s'il échoue.</translation>
    </message>
</context>
<context>
    <name>panel.models_section</name>
    <message>
        <source>Checkpoints</source>
        <translation>Modèles</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>Modèle</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Taille</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Mémoire</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Licence</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>Images</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Télécharger</translation>
    </message>
    <message>
        <source>Get this checkpoint; can resume.</source>
        <translation>Obtenir ce modèle ; peut être repris.</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Vérifier</translation>
    </message>
    <message>
        <source>Compare the sha256 of the weights.</source>
        <translation>Comparer le sha256 des poids.</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Fiche du modèle</translation>
    </message>
    <message>
        <source>Training data, results, known failures.</source>
        <translation>Données d'entraînement, résultats, défauts connus.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>Delete an imported checkpoint.</source>
        <translation>Supprimer un modèle importé.</translation>
    </message>
    <message>
        <source>Import folder...</source>
        <translation>Importer un dossier...</translation>
    </message>
    <message>
        <source>Copy a checkpoint folder.</source>
        <translation>Copier le dossier d'un modèle.</translation>
    </message>
    <message>
        <source>Import zip...</source>
        <translation>Importer un zip...</translation>
    </message>
    <message>
        <source>Unpack a checkpoint zip.</source>
        <translation>Décompresser le zip d'un modèle.</translation>
    </message>
    <message>
        <source>Import weights...</source>
        <translation>Importer des poids...</translation>
    </message>
    <message>
        <source>Make a checkpoint of a file of weights that others publish.</source>
        <translation>Faire un modèle d'un fichier de poids publié par d'autres.</translation>
    </message>
    <message>
        <source>Whose weights the file holds; nothing is guessed from its name.</source>
        <translation>De qui sont les poids du fichier ; rien n'est deviné à partir de son nom.</translation>
    </message>
    <message>
        <source>Change folder...</source>
        <translation>Changer de dossier...</translation>
    </message>
    <message>
        <source>Keep imported and downloaded checkpoints elsewhere; what is there is not moved.</source>
        <translation>Garder ailleurs les modèles importés et téléchargés ; ce qui existe n'est pas déplacé.</translation>
    </message>
    <message>
        <source>Imported checkpoints are kept in {folder}</source>
        <translation>Les modèles importés sont gardés dans {folder}</translation>
    </message>
    <message>
        <source>shipped</source>
        <translation>fourni</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>importé</translation>
    </message>
    <message>
        <source>download</source>
        <translation>à télécharger</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>endommagé</translation>
    </message>
    <message>
        <source>{name} is installed; its sha256 is right.</source>
        <translation>{name} est installé ; son sha256 est correct.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Folder of a checkpoint</source>
        <translation>Dossier d'un modèle</translation>
    </message>
    <message>
        <source>Zip of a checkpoint</source>
        <translation>Zip d'un modèle</translation>
    </message>
    <message>
        <source>File of weights</source>
        <translation>Fichier de poids</translation>
    </message>
    <message>
        <source>{name} was imported.</source>
        <translation>{name} a été importé.</translation>
    </message>
    <message>
        <source>Folder for checkpoints</source>
        <translation>Dossier des modèles</translation>
    </message>
    <message>
        <source>Delete the checkpoint '{name}' from this computer?</source>
        <translation>Supprimer le modèle « {name} » de cet ordinateur ?</translation>
    </message>
    <message>
        <source>{name} was deleted.</source>
        <translation>{name} a été supprimé.</translation>
    </message>
    <message>
        <source>This checkpoint has no model card.</source>
        <translation>Ce modèle n'a pas de fiche.</translation>
    </message>
    <message>
        <source>Download '{title}' ({size})?

Licence: {licence}
{line}</source>
        <translation>Télécharger « {title} » ({size}) ?

Licence : {licence}
{line}</translation>
    </message>
    <message>
        <source>Download a checkpoint</source>
        <translation>Télécharger un modèle</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Annulé.</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} et {count} autres</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>tous les mots (vocabulaire ouvert)</translation>
    </message>
    <message>
        <source>Trained on: {prompts}</source>
        <translation>Entraîné sur : {prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>non précisée</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>Mesuré : {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>Licence : {licence}</translation>
    </message>
</context>
<context>
    <name>panel.panel</name>
    <message>
        <source>The console call is on the clipboard.</source>
        <translation>L'appel de console est dans le presse-papiers.</translation>
    </message>
    <message>
        <source>Undone.</source>
        <translation>Annulation effectuée.</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>Il n'y a rien à annuler.</translation>
    </message>
    <message>
        <source>{count} candidates were added as segments.</source>
        <translation>{count} candidats ont été ajoutés comme segments.</translation>
    </message>
    <message>
        <source>No volume is selected; load or choose one first.</source>
        <translation>Aucun volume n'est sélectionné ; chargez-en ou choisissez-en un d'abord.</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>Écrivez ce qu'il faut segmenter, par exemple : liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one under Checkpoints.</source>
        <translation>Aucun modèle n'est installé ; importez-en un sous Modèles.</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>La licence du modèle n'a pas été acceptée.</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>Sélectionnez une région d'intérêt ou une autre étendue.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>Annulé ; rien n'a été modifié.</translation>
    </message>
    <message>
        <source>{count} frames were segmented.</source>
        <translation>{count} images de la séquence ont été segmentées.</translation>
    </message>
</context>
<context>
    <name>panel.results_section</name>
    <message>
        <source>Results</source>
        <translation>Résultats</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Résultat</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Taille</translation>
    </message>
    <message>
        <source>max p</source>
        <translation>p max.</translation>
    </message>
    <message>
        <source>s</source>
        <translation>s</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Probabilité</translation>
    </message>
    <message>
        <source>Show the probability of the selected row over the image, as a volume.</source>
        <translation>Montrer la probabilité de la ligne sélectionnée sur l'image, comme volume.</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>Incertitude</translation>
    </message>
    <message>
        <source>Show where the answer of the selected row is unsure, as a volume.</source>
        <translation>Montrer comme volume où la réponse de la ligne sélectionnée est incertaine.</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>Carte de chaleur</translation>
    </message>
    <message>
        <source>Show where the network looked for the selected row, as a volume.</source>
        <translation>Montrer comme volume où le réseau a regardé pour la ligne sélectionnée.</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>Candidats</translation>
    </message>
    <message>
        <source>Add every candidate of the selected row as a segment, to choose from.</source>
        <translation>Ajouter chaque candidat de la ligne sélectionnée comme segment, pour choisir.</translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation>Copier en Python</translation>
    </message>
    <message>
        <source>Put the console call that does the same on the clipboard.</source>
        <translation>Mettre dans le presse-papiers l'appel de console qui fait la même chose.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>Copier le tableau</translation>
    </message>
    <message>
        <source>Put the table with sizes and outcomes on the clipboard, for a spreadsheet.</source>
        <translation>Mettre dans le presse-papiers le tableau des tailles et des résultats, pour un tableur.</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Statistiques</translation>
    </message>
    <message>
        <source>Compute volumes and intensities of all segments into a Segment Statistics table.</source>
        <translation>Calculer les volumes et les intensités de tous les segments dans un tableau de Statistiques de segments.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Take back the last run of this panel.</source>
        <translation>Annuler le dernier calcul de ce panneau.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Montrer</translation>
    </message>
    <message>
        <source>Show the middle of this structure in the slice views.</source>
        <translation>Montrer le milieu de cette structure dans les vues de coupe.</translation>
    </message>
    <message>
        <source>Volume (ml)</source>
        <translation>Volume (ml)</translation>
    </message>
    <message>
        <source>Voxels</source>
        <translation>Voxels</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>Remarque</translation>
    </message>
    <message>
        <source>{name} statistics</source>
        <translation>statistiques de {name}</translation>
    </message>
    <message>
        <source>{outcome}, unusual</source>
        <translation>{outcome}, inhabituel</translation>
    </message>
    <message>
        <source>found</source>
        <translation>trouvé</translation>
    </message>
    <message>
        <source>below threshold</source>
        <translation>sous le seuil</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>non trouvé</translation>
    </message>
    <message>
        <source>not trained</source>
        <translation>non appris</translation>
    </message>
</context>
<context>
    <name>panel.scene_batch</name>
    <message>
        <source>It was deleted.</source>
        <translation>Elle a été supprimée.</translation>
    </message>
    <message>
        <source>Image {number} of {count}: {progress}</source>
        <translation>Image {number} sur {count} : {progress}</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Annulé.</translation>
    </message>
</context>
<context>
    <name>panel.segment_section</name>
    <message>
        <source>Segment</source>
        <translation>Segmenter</translation>
    </message>
    <message>
        <source>The image; a sequence is segmented frame by frame.</source>
        <translation>L'image ; une séquence est segmentée image par image.</translation>
    </message>
    <message>
        <source>All frames of the sequence</source>
        <translation>Toutes les images de la séquence</translation>
    </message>
    <message>
        <source>One structure per line, or several with commas</source>
        <translation>Une structure par ligne, ou plusieurs avec des virgules</translation>
    </message>
    <message>
        <source>One answer</source>
        <translation>Une réponse</translation>
    </message>
    <message>
        <source>How many plausible answers to draw; the result is their mean, with its uncertainty.</source>
        <translation>Nombre de réponses plausibles à tirer ; le résultat est leur moyenne, avec son incertitude.</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>Candidats :</translation>
    </message>
    <message>
        <source>Segments are added to it; its own segments stay as they are.</source>
        <translation>Les segments y sont ajoutés ; ses propres segments restent tels quels.</translation>
    </message>
    <message>
        <source>Create new segmentation</source>
        <translation>Créer une nouvelle segmentation</translation>
    </message>
    <message>
        <source>Segment the image; the window stays free meanwhile.</source>
        <translation>Segmenter l'image ; la fenêtre reste libre pendant ce temps.</translation>
    </message>
    <message>
        <source>Input volume:</source>
        <translation>Volume d'entrée :</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>L'image est :</translation>
    </message>
    <message>
        <source>Prompts:</source>
        <translation>Prompts :</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>Modèle :</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>Indications :</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>Étendue :</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>Seuil :</translation>
    </message>
    <message>
        <source>Device:</source>
        <translation>Appareil :</translation>
    </message>
    <message>
        <source>Output:</source>
        <translation>Sortie :</translation>
    </message>
</context>
<context>
    <name>panel.sequence_run</name>
    <message>
        <source>Frame {number} of {count}: {progress}</source>
        <translation>Image {number} sur {count} de la séquence : {progress}</translation>
    </message>
</context>
<context>
    <name>panel.setup_section</name>
    <message>
        <source>Dependencies</source>
        <translation>Dépendances</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>Installer</translation>
    </message>
    <message>
        <source>Folder with wheels, to install without a network</source>
        <translation>Dossier de wheels, pour installer sans réseau</translation>
    </message>
    <message>
        <source>Slicer's own Python</source>
        <translation>Le Python de Slicer</translation>
    </message>
    <message>
        <source>Another Python interpreter with textpromptseg installed, to run the worker in.</source>
        <translation>Un autre interpréteur Python où textpromptseg est installé, pour y exécuter le processus de calcul.</translation>
    </message>
    <message>
        <source>Offline:</source>
        <translation>Hors ligne :</translation>
    </message>
    <message>
        <source>Interpreter:</source>
        <translation>Interpréteur :</translation>
    </message>
    <message>
        <source>The last installation was not finished; press Install to go on.</source>
        <translation>La dernière installation n'a pas été terminée ; appuyez sur Installer pour continuer.</translation>
    </message>
    <message>
        <source>Folder with wheels</source>
        <translation>Dossier de wheels</translation>
    </message>
</context>
<context>
    <name>shared.dependencies</name>
    <message>
        <source>There is no program '{path}'; choose a Python interpreter.</source>
        <translation>Il n'y a pas de programme « {path} » ; choisissez un interpréteur Python.</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python: {error}.</source>
        <translation>« {path} » ne fonctionne pas comme Python : {error}.</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python.</source>
        <translation>« {path} » ne fonctionne pas comme Python.</translation>
    </message>
    <message>
        <source>'{path}' lacks {names}; install textpromptseg there.</source>
        <translation>Il manque {names} à « {path} » ; installez-y textpromptseg.</translation>
    </message>
    <message>
        <source>Segmenting needs these Python packages first: {names}. &lt;a href="install"&gt;Open the module Text Prompt Segmentation&lt;/a&gt; and press Install.</source>
        <translation>Pour segmenter, il faut d'abord ces paquets Python : {names}. &lt;a href="install"&gt;Ouvrez le module Segmentation par prompt textuel&lt;/a&gt; et appuyez sur Installer.</translation>
    </message>
    <message>
        <source>Everything is installed.</source>
        <translation>Tout est installé.</translation>
    </message>
    <message>
        <source>about {size} MB</source>
        <translation>environ {size} Mo</translation>
    </message>
    <message>
        <source>about {cpu} MB; with a CUDA graphics card up to {gpu} MB</source>
        <translation>environ {cpu} Mo ; avec une carte graphique CUDA jusqu'à {gpu} Mo</translation>
    </message>
    <message>
        <source>Install will download into Slicer's Python:
{list}</source>
        <translation>Installer téléchargera dans le Python de Slicer :
{list}</translation>
    </message>
    <message>
        <source>The folder '{folder}' does not exist.</source>
        <translation>Le dossier « {folder} » n'existe pas.</translation>
    </message>
    <message>
        <source>Installing PyTorch...</source>
        <translation>Installation de PyTorch...</translation>
    </message>
    <message>
        <source>Installing {names}...</source>
        <translation>Installation de {names}...</translation>
    </message>
    <message>
        <source>The installation stopped: {reason}. What is already installed stays; press Install to go on, or choose a folder with wheels when there is no network.</source>
        <translation>L'installation s'est arrêtée : {reason}. Ce qui est déjà installé reste ; appuyez sur Installer pour continuer, ou choisissez un dossier de wheels s'il n'y a pas de réseau.</translation>
    </message>
    <message>
        <source>Still missing: {names}. Restart Slicer and press Install again.</source>
        <translation>Il manque encore : {names}. Redémarrez Slicer et appuyez de nouveau sur Installer.</translation>
    </message>
    <message>
        <source>The extension PyTorch is needed to install torch for this computer; install it with the Extensions Manager, restart Slicer and press Install again.</source>
        <translation>L'extension PyTorch est nécessaire pour installer torch sur cet ordinateur ; installez-la avec le Gestionnaire d'extensions, redémarrez Slicer et appuyez de nouveau sur Installer.</translation>
    </message>
    <message>
        <source>PyTorch was not installed; press Install to try again.</source>
        <translation>PyTorch n'a pas été installé ; appuyez sur Installer pour réessayer.</translation>
    </message>
</context>
<context>
    <name>shared.overlays</name>
    <message>
        <source>probability</source>
        <translation>probabilité</translation>
    </message>
    <message>
        <source>uncertainty</source>
        <translation>incertitude</translation>
    </message>
    <message>
        <source>heat map</source>
        <translation>carte de chaleur</translation>
    </message>
    <message>
        <source>Text prompt {map}</source>
        <translation>Prompt textuel {map}</translation>
    </message>
</context>
<context>
    <name>shared.quality_words</name>
    <message>
        <source>good</source>
        <translation>bon</translation>
    </message>
    <message>
        <source>fair</source>
        <translation>moyen</translation>
    </message>
    <message>
        <source>experimental</source>
        <translation>expérimental</translation>
    </message>
    <message>
        <source>{tier}, Dice {dice} in {count} cases</source>
        <translation>{tier}, Dice {dice} sur {count} cas</translation>
    </message>
</context>
<context>
    <name>shared.runs</name>
    <message>
        <source>{step}...</source>
        <translation>{step}...</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>Démarrage...</translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>{progress}, about {time} left</source>
        <translation>{progress}, reste environ {time}</translation>
    </message>
    <message>
        <source>Computed on {device} in {time:.1f} s.</source>
        <translation>Calculé sur {device} en {time:.1f} s.</translation>
    </message>
    <message>
        <source>Memory ran out, so it {steps}.</source>
        <translation>La mémoire a manqué, d'où : {steps}.</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} s</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} min {seconds} s</translation>
    </message>
</context>
</TS>
